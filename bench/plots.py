"""The plots of a run, by gnuplot: each as SVG and as PNG."""

import os
import shutil
import subprocess
import sys

import report

SWEEPS = {
    # id: file, title, what the x axis says, what the y axis says
    "threads": ("threads", "Alloc + free on one pool", "threads", "million pairs a second"),
    "live": ("live", "Replace a random message", "live messages", "ns"),
    "segments": ("segments", "Chain messages of 64 bytes, free them", "segments",
                 "ns a segment"),
    "pools": ("pools", "Alloc + free, going round the pools", "pools", "ns"),
    "size": ("size", "Alloc, append all bytes, free", "bytes of the message", "ns"),
}

COLOURS = ["#1f77b4", "#7f7f7f", "#d62728", "#ff7f0e", "#bcbd22", "#8c564b", "#2ca02c", "#9467bd",
           "#e377c2", "#17becf"]

COMMON = """set terminal %s
set output '%s'
set grid
set border 3
set tics nomirror
set datafile missing '?'
"""

TERMINALS = {"svg": "svg size 900,540 dynamic background 'white' font 'sans,13'",
             "png": "pngcairo size 900,540 background 'white' font 'sans,11'"}


def tidy(path):
    """Text as the repository wants it: no blanks at the end of a line, or of the file."""
    with open(path) as stream:
        lines = [line.rstrip() for line in stream]
    with open(path, "w") as stream:
        stream.write("\n".join(lines).strip() + "\n")


def gnuplot(where, name, script, kinds):
    for kind in kinds:
        path = os.path.join(where, "%s.%s" % (name, kind))
        text = COMMON % (TERMINALS[kind], path) + script
        subprocess.run(["gnuplot", "-"], input=text, text=True, check=True)
        if kind == "svg":
            tidy(path)


def block(name, lines):
    return "$%s << EOD\n%s\nEOD\n" % (name, "\n".join(lines))


def draw_ratios(result, where, kinds):
    """ibuf's cost in terms of the best peer's and of the limit's, for each row; False: no rows.
    A row with a question mark is one that the report calls unsure."""
    lines = []
    for row in report.by_list(result):
        if row["sweep"] or not row["to_best"] and not row["to_limit"]:
            continue
        unsure = any(peer in row["spread"] and report.is_unsure(row, peer)
                     for peer in (row["best"], "limit"))
        lines.append("%s%s %s %s" % (row["name"], "(?)" if unsure else "", row["to_best"] or "?",
                                     row["to_limit"] or "?"))
    if not lines:
        return False
    gnuplot(where, "ratios", block("data", lines) + """
set title 'ibuf beside the best peer of each row, and beside the limit: below 1 it is faster'
set style data histogram
set style histogram clustered gap 1
set style fill solid 0.85 noborder
set logscale y 2
set ytics (0.125, 0.25, 0.5, 1, 2, 4, 8, 16, 32, 64)
set yrange [0.125:*]
set xtics rotate by -50
set key outside bottom center horizontal
plot $data using 2:xtic(1) title 'to the best peer' linecolor rgb '#1f77b4', \\
     '' using 3 title 'to the limit' linecolor rgb '#bbbbbb', \\
     1 title '' linecolor rgb '#d62728' linewidth 2
""", kinds)
    return True


def points_of(result, sweep, peer):
    """(size, value) of a peer; threads show what all of them do in a second."""
    for row in report.by_list(result):
        name, _, size = row["name"].partition("/")
        value = row["median"].get(peer)
        if name == sweep and value:
            size = int(size)
            yield size, size * 1000 / value if sweep == "threads" else value


def draw_sweep(result, where, sweep, kinds):
    """One curve for each peer; False: there is nothing to draw."""
    name, title, x, y = SWEEPS[sweep]
    blocks, curves = "", []
    for i, peer in enumerate(peer["name"] for peer in result["peers"]):
        points = ["%g %g" % point for point in points_of(result, sweep, peer)]
        if not points:
            continue
        blocks += block("d%d" % i, points)
        width = 4 if peer == "ibuf" else 2
        dash = 3 if peer == "limit" else 1
        curves.append("$d%d using 1:2 with linespoints title '%s' linewidth %d dashtype %d "
                      "pointtype %d linecolor rgb '%s'" % (i, peer, width, dash, i + 4,
                                                           COLOURS[i % len(COLOURS)]))
    if not curves:
        return False
    gnuplot(where, name, blocks + """
set title '%s'
set xlabel '%s'
set ylabel '%s'
set logscale x 2
set logscale y
set format x '%%.0s%%c'
set key outside right
plot %s
""" % (title, x, y, ", ".join(curves)), kinds)
    return True


def draw(result, where, kinds=tuple(TERMINALS)):
    """Draw all of them; the names of those that were drawn."""
    if shutil.which("gnuplot") is None:
        print("bench: no gnuplot, no plots", file=sys.stderr)
        return []
    os.makedirs(where, exist_ok=True)
    drawn = [SWEEPS[sweep][0] for sweep in SWEEPS if draw_sweep(result, where, sweep, kinds)]
    return (["ratios"] if draw_ratios(result, where, kinds) else []) + drawn
