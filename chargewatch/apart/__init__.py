"""Programs in processes of their own: what passes between the collector's process and theirs, and how.

The collector keeps the journal; a program apart follows it over HTTP with positions of its own, sends its commands through the
collector's gateway, and answers the part of the API that is its own through the collector's listener.
"""
