"""The page: Streamlit alone, no torch, no altair; what is drawn comes from ``covdemo.charts`` and ``covdemo.tables``."""
