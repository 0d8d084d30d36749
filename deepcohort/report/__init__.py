"""The report: what all rooms measured and dropped, as tables and pictures for MultiQC."""
