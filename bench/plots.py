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

TERMINALS = {"svg": "svg size 900,%d dynamic background 'white' font 'sans,13'",
             "png": "pngcairo size 900,%d background 'white' font 'sans,11'"}


def tidy(path):
    """Text as the repository wants it: no blanks at the end of a line, or of the file."""
    with open(path) as stream:
        lines = [line.rstrip() for line in stream]
    with open(path, "w") as stream:
        stream.write("\n".join(lines).strip() + "\n")


def gnuplot(where, name, script, kinds, height=540):
    for kind in kinds:
        path = os.path.join(where, "%s.%s" % (name, kind))
        text = COMMON % (TERMINALS[kind] % height, path) + script
        subprocess.run(["gnuplot", "-"], input=text, text=True, check=True)
        if kind == "svg":
            tidy(path)


def block(name, lines):
    return "$%s << EOD\n%s\nEOD\n" % (name, "\n".join(lines))


# What a row is called in a plot, where the list of workloads refers to the row before, or is long.
SHORT = {
    "W2b": "32 allocs, then 32 frees, in bulk",
    "W3": "alloc + free in two threads on one pool",
    "W4": "alloc in one thread, free in another",
    "W4t": "the same, and 64 bytes written and read",
    "W10a": "64 byte packet: alloc, edit both ends, read, free",
    "W10b": "1500 byte packet, the same",
    "W14": "replace a random one of 65536 live messages",
    "W14t": "the same, and 64 bytes written",
    "W15a": "memory of a live message",
    "W15b": "memory of a live message with headroom",
}

PEERS = {"dpdk": "DPDK", "glib": "GLib", "glibc": "malloc"}


def ratio_of(row, peer):
    """ibuf's cost in terms of a peer's, as a plot has it."""
    ours, theirs = row["median"].get("ibuf"), row["median"].get(peer)
    return "%g" % (ours / theirs) if ours and theirs else "?"


def draw_ratios(result, where, kinds):
    """ibuf's cost in terms of malloc's and of the fastest peer's, for each row; False: no rows.
    A row with a question mark is one that the report calls unsure."""
    rows = [row for row in report.by_list(result) if not row["sweep"] and row["to_best"]]
    lines = []
    for place, row in enumerate(reversed(rows)):
        unsure = report.is_unsure(row, row["best"])
        lines.append('%d %s %s "%s (%s)%s"' % (
            place, ratio_of(row, "glibc"), ratio_of(row, row["best"]),
            SHORT.get(row["name"], row["what"]), PEERS.get(row["best"], row["best"]),
            " ?" if unsure else ""))
    if not lines:
        return False
    gnuplot(where, "ratios", block("data", lines) + """
set label "Cost of ibuf divided by that of another library; left of 1, ibuf is cheaper" \\
    at screen 0.5, 0.975 center
set lmargin at screen 0.46
set rmargin at screen 0.97
set tmargin at screen 0.95
set bmargin at screen 0.13
set style fill solid 0.9 noborder
set logscale x 2
set xtics ("1/64" 0.015625, "1/32" 0.03125, "1/16" 0.0625, "1/8" 0.125, "1/4" 0.25, "1/2" 0.5, \\
           "1" 1, "2" 2, "4" 4, "8" 8, "16" 16)
set yrange [-0.7:%g]
set xrange [*:2.5]
set key at screen 0.97, 0.08 vertical maxrows 2 noautotitle
set arrow from 1, graph 0 to 1, graph 1 nohead linewidth 2 linecolor rgb '#d62728' front
plot $data using (sqrt($2)):($1 + 0.2):(1):($2):($1 + 0.03):($1 + 0.37) with boxxyerror \\
         title 'by malloc of glibc, used by hand' linecolor rgb '#9ecae1', \\
     '' using (sqrt($3)):($1 - 0.2):(1):($3):($1 - 0.37):($1 - 0.03):ytic(4) with boxxyerror \\
         title 'by the fastest alternative, which stands in brackets (?: its runs differ by more than 30 %%)' \\
         linecolor rgb '#1f77b4'
""" % (len(lines) - 0.3), kinds, height=22 * len(lines) + 130)
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
