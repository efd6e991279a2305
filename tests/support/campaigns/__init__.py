"""Campaigns: damaged and hostile inputs, damaged work folders, and kills, drawn from seeds by the hundred."""
