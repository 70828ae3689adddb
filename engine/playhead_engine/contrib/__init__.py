"""Conversions for libraries that not everybody has; each module needs its library only when it is used."""
