"""How often Python looks for garbage; imported first by every program of the product.

Importing the service makes a million objects that stay. Looking at every 700 new ones, as is
usual, Python walks through all of them again and again, for a quarter of the time a start takes.
"""

import gc

YOUNG_OBJECTS = 50_000
"""How many new objects make Python look. A page of a large project makes as many and drops them
all; what nothing names is freed as ever, only rings wait until then."""

gc.set_threshold(YOUNG_OBJECTS)
