"""By which dialect the comments of a source file are read. Pure."""

_SLASHES = r"//|/\*|\*"
COMMENTS = {
    "python": "#",
    "hash": "#",
    "slash": _SLASHES,
    "verilog": _SLASHES,
    "matlab": rf"%|{_SLASHES}",
    "dash": "--",
    "percent": "%",
    "semicolon": ";",
    "markup": "<!--",
    "feature": "#",
}
"""How a comment begins in each dialect."""

_SUFFIXES = {
    "python": "py pyi pyx",
    "feature": "feature",
    "verilog": "sv svh",
    "slash": "c h cc hh cpp hpp cxx hxx cu cs java js jsx mjs cjs ts tsx go rs swift kt kts scala "
    "dart php groovy gradle mm proto css scss less glsl",
    "matlab": "m",
    "hash": "sh bash zsh yml yaml toml cfg ini conf rb pl pm r jl tcl cmake mk nix tf ps1 robot",
    "dash": "sql lua hs adb ads vhd vhdl elm",
    "percent": "tex erl pro",
    "semicolon": "asm s lisp clj el scm",
    "markup": "html htm xml xhtml jinja j2 vue",
}
_DIALECTS = {suffix: name for name, all_of in _SUFFIXES.items() for suffix in all_of.split()}
_NAMES = {
    "makefile": "hash",
    "dockerfile": "hash",
    "cmakelists.txt": "hash",
    "jenkinsfile": "slash",
}


def dialect_of(path: str) -> str:
    """Return the dialect by which a file's comments are read; empty for files that are not read.

    Examples
    --------
    >>> dialect_of("engine/dose/dvh.py"), dialect_of("notes.md")
    ('python', '')
    """
    # Asked of every file of every release by each scan; a path object costs five times as much.
    name = path.rpartition("/")[2].lower()
    return _NAMES.get(name) or _DIALECTS.get(name.rpartition(".")[2] if "." in name else "", "")
