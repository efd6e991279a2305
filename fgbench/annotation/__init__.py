"""Annotation of clips by people: rounds of tasks for annotation tools, and their answers as votes."""
