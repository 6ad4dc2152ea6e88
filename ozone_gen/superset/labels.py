"""Names of tables and columns as people read them."""

from __future__ import annotations

from typing import Final

_UNITS: Final = {
    "kg": "kg",
    "g": "g",
    "mg": "mg",
    "cm": "cm",
    "mm": "mm",
    "c": "°C",
    "celsius": "°C",
    "percent": "%",
    "bpm": "bpm",
    "mmhg": "mmHg",
    "years": "years",
    "months": "months",
    "days": "days",
}
"""What a name's last word may be: the unit of the values."""

_WORDS: Final = {"id": "id", "uuid": "uuid", "icd10": "ICD-10", "bmi": "BMI", "hiv": "HIV", "tb": "TB", "cd4": "CD4"}


def label(name: str) -> str:
    """A name as words: `weight_kg` is "Weight (kg)"."""
    words = [word for word in name.split("_") if word]
    unit = _UNITS.get(words[-1]) if len(words) > 1 else None
    text = " ".join(_WORDS.get(word, word) for word in (words[:-1] if unit else words)) or name
    text = text[:1].upper() + text[1:]
    return f"{text} ({unit})" if unit else text
