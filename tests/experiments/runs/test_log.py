"""A job's log has all that a job says, and leaves logging as it was."""

import logging
import sys
import warnings

from experiments.runs.log import logged


def test_lines_tables_warnings_prints_and_tracebacks_are_in_the_file(tmp_path, capsys):
    handlers = list(logging.getLogger().handlers)
    with logged(tmp_path, loud=False) as log:
        log.lines.info("begin")
        log.tables.print("a table")
        print("printed")
        print("told", file=sys.stderr)
        logging.getLogger("other").warning("beware")
        warnings.warn("careful", stacklevel=1)
        try:
            raise KeyError("missing")
        except KeyError:
            log.lines.exception("failed")
    text = (tmp_path / "job.log").read_text()
    for part in ("begin", "a table", "printed", "told", "beware", "careful", "Traceback", "KeyError: 'missing'"):
        assert part in text
    assert logging.getLogger().handlers == handlers
    said = capsys.readouterr()
    assert said.out == said.err == ""


def test_a_loud_job_warns_on_stderr_too_and_prints_as_usual(tmp_path, capsys):
    with logged(tmp_path, loud=True) as log:
        log.lines.info("begin")
        log.lines.warning("beware")
        print("printed")
    said = capsys.readouterr()
    assert said.out == "printed\n" and "beware" in said.err and "begin" not in said.err
    assert "printed" not in (tmp_path / "job.log").read_text()


def test_an_earlier_log_is_continued(tmp_path):
    for word in ("first", "second"):
        with logged(tmp_path, loud=False) as log:
            log.lines.info(word)
    text = (tmp_path / "job.log").read_text()
    assert text.index("first") < text.index("second")
