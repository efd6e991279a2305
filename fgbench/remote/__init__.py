"""Data sets in object stores and on servers, by URL: listed without a download, clips fetched when worked on.

A data set at a URL is mirrored in a local folder that looks like the data set itself: tables are there whole,
clips are empty stand-ins of the right name, size and time until they are worked on. All that lists, plans or
takes stamps so works on the mirror as on any folder. See `fgbench.remote.mirrors` and
`fgbench.remote.fetching`. The file systems are those of fsspec, an optional package.
"""

from fgbench.remote.fetching import at_hand, is_away
from fgbench.remote.mirrors import bound, mirrored, origin_of
from fgbench.remote.urls import PACKAGES, refuse_url, url_of

__all__ = ["PACKAGES", "at_hand", "bound", "is_away", "mirrored", "origin_of", "refuse_url", "url_of"]
