"""Label Studio: projects for it, its exports, and its server."""
