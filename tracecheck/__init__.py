"""tracecheck: did every I2C transfer's interrupts and task wakes come in order and on time?"""
