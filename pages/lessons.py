"""Lessons: predict, run, reveal. All of them in a list, or the one that the address names."""

from segdebug.ui import frame

frame.enter()

from segdebug.ui import lessons_page  # noqa: E402

lessons_page.show()
