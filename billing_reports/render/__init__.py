"""Documents for people: PDF, HTML, CSV, e-invoices. Decided here: how things look; not one figure is worked out here."""
