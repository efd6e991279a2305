"""Whole chains of training: what a network is made of comes first, in every fold and for every seed.

`work` opens a work folder, its features first; `units` trains detectors of action units; `images` networks of
images, their trunk first; `clips` networks of clips, their image model first; `baselines` those with a recipe
of their own. Nothing is printed: functions take recipe and work folder, and tell what they do by callbacks.
"""
