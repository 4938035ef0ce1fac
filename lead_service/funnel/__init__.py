"""The funnel in numbers: how many readers became leads, week by week, article by article."""
