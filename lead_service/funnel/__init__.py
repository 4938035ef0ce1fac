"""Count how many visitors became leads, by week, article, source and kind of call."""
