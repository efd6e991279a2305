"""InsightFace: an IResNet with weights of face recognition."""
