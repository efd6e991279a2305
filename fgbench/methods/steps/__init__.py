"""Whole chains of training: a network after those that it is made of, in every fold and for every seed.

`work` opens a work folder, its features first; `units` trains detectors of action units; `images` networks of
images, their trunk first; `clips` networks of clips, their image model first; `baselines` those with a recipe

"""
