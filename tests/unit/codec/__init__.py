"""The OCPP codec and the 1.6 handlers: plain values in, plain values out."""
