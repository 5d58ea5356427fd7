"""Limits that the checks of images hold measures against, each with its source. A site may change them here."""

from __future__ import annotations

CONSTANT_SHARE = 99.9
"""Percent of pixels in one gray value from which an image counts as blank. Our choice: in a picture of 512 x 512,
fewer than 263 pixels differ."""
CLIPPED_SHARE = 1.0
"""Percent of pixels clipped away from the border from which detail counts as lost. Our choice; a site sets it."""
DEVIATION_ALERT, DEVIATION_EXTREME = 1.0, 3.0
"""Deviation index past which an exposure is looked at, and past which it is a finding: half or twice the target is
3.0 (10 log10 2). After the control limits that AAPM TG-116 (Med. Phys. 36 (2009) 2898) proposes."""

CT_NOISE_LIMITS: dict[str, tuple[float, tuple[str, ...]]] = {
    "head": (115.0, ("HEAD", "BRAIN", "SKULL", "SINUS", "FACE", "ORBIT", "IAC", "TEMPORALBONE")),
    "neck or cervical spine": (25.0, ("NECK", "CSPINE")),
    "thoracic or lumbar spine": (25.0, ("TSPINE", "LSPINE", "TLSPINE", "LSSPINE")),
    "chest": (55.0, ("CHEST", "LUNG", "THORAX")),
    "cardiac": (55.0, ("HEART", "CARDIAC", "CORONARYARTERY")),
    "abdomen and pelvis": (64.0, ("ABDOMEN", "PELVIS", "ABDOMENPELVIS", "ABDPELVIS", "LIVER", "KIDNEY")),
    "chest, abdomen and pelvis": (29.0, ("CHESTABDPELVIS", "CHESTABDOMENPELVIS")),
    "extremity": (73.0, ("EXTREMITY", "KNEE", "ANKLE", "FOOT", "ELBOW", "WRIST", "HAND", "LEG",
                         "ARM")),
}
"""Region: noise (HU) at or above which CMS1206 fails an exam, and the BodyPartExamined that says the region.

CMS1206/1056, Excessive Radiation Dose or Inadequate Image Quality for Diagnostic CT in Adults. Its limits differ by
region and by the dose that the indication calls for (low, routine, high). The header does not say the indication,
so each region has the highest noise limit of its categories: what is past it is past all of them."""
