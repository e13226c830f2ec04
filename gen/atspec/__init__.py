"""atspec: an AT protocol layer compiled from a declarative spec."""

VERSION = "0.1.0"
