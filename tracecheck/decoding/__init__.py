"""Edge blocks to events: the I2C core's driver, marker codings, and the exchanges that hold them together."""
