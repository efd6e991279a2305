"""Selection of frames near key frames by two experts: pages to select on, and the tables that they write."""
