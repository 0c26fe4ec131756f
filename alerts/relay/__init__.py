"""The relay: takes what should be heard, decides who hears it and when, and delivers it once. Its class is in relay.py."""
