"""Treatment gaps: claims, the measures computed from them, and what may be published."""
