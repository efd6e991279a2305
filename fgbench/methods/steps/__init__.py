"""Whole chains of training: a network after those that it is made of, in every fold and for every seed.

`work` opens a work folder, its features first; `units` trains detectors of action units; `images` image
networks, their trunk first; `clips` clip networks, their image model first; `baselines` plugins with their
own recipe. Nothing is printed: functions take recipe and work folder, and report by callbacks.
"""
