"""pacsmeter: analytics and quality assurance for picture archives."""

import logging
import warnings

__version__ = "0.1.0"

# pydicom's warnings quote the value they are about, which may be a name: what is wrong with a file is said by
# the checks, without the value. Here, so that it holds in every worker process too.
warnings.filterwarnings("ignore", module=r"pydicom\.")
logging.getLogger("pydicom").setLevel(logging.CRITICAL)
