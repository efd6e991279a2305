"""Data sets in object stores and on servers, by URL: listed without a download, clips fetched when worked on.

A data set at a URL is mirrored in a local folder that looks like the data set itself: tables are there whole,
clips are empty stand-ins of the right name, size and time until they are worked on. All that lists, plans or
takes stamps so works on the mirror as on any folder. See `fgbench.remote.mirrors` and
`fgbench.remote.fetching`. The file systems are those of fsspec, an optional package.
"""
