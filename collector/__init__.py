"""The OCPP collector: charge points connect here, and what they say is kept before it is answered."""
