"""The report of a run: a table for people, JSON for programs."""

import datetime
import json
import os
import platform
import re
import subprocess

TIE = 0.15

# When the rounds of one of two values lie further apart than this, their ratio says nothing.
UNSURE = 30


def output_of(*command):
    try:
        return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              text=True).stdout.strip()
    except FileNotFoundError:
        return ""


def machine():
    """What the numbers depend on."""
    with open("/proc/cpuinfo") as stream:
        text = stream.read()
    model = re.search(r"^model name\s*: (.*)$", text, re.M)
    with open("/sys/kernel/mm/transparent_hugepage/enabled") as stream:
        huge = re.search(r"\[(\w+)\]", stream.read())
    return {
        "processor": model.group(1) if model else platform.machine(),
        "cpus": len(os.sched_getaffinity(0)),
        "virtual": " hypervisor" in text,
        "kernel": platform.release(),
        "transparent_huge_pages": huge.group(1) if huge else "?",
        "compiler": output_of("gcc", "--version").split("\n")[0],
        "libc": " ".join(platform.libc_ver()),
        "rust": output_of("rustc", "--version"),
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "load_before": os.getloadavg()[0],
    }


# ---- rows

def number(value, unit):
    if value is None:
        return "-"
    if unit == "us":
        value /= 1000
    return "%.0f" % value if value >= 100 else "%.3g" % value if value < 10 else "%.1f" % value


def is_unsure(row, other):
    """Do the rounds of ibuf, or of the other, lie so far apart that their ratio says nothing?"""
    return max(row["spread"]["ibuf"], row["spread"][other]) > UNSURE


def verdict(row, other, ratio):
    """The ratio of ibuf to another, and what it is worth."""
    if ratio is None:
        return "-"
    text = "%.2f" % ratio
    if is_unsure(row, other):
        return text + " (unsure)"
    return text + " (tie)" if abs(ratio - 1) < TIE else text


def rows(result):
    """One dict for each benchmark: the values, the best peer and the ratios."""
    what = {w["id"]: w for w in result["workloads"]}
    for name, by_peer in result["values"].items():
        workload = what[name.split("/")[0]]
        median = {peer: value["median"] for peer, value in by_peer.items()}
        rivals = {peer: median[peer] for peer in median if peer not in ("ibuf", "limit")}
        best = min(rivals, key=rivals.get) if rivals else None
        ours, limit = median.get("ibuf"), median.get("limit")
        yield {
            "name": name, "what": workload["what"], "unit": workload["unit"],
            "sweep": workload["sweep"], "median": median, "best": best,
            "to_best": ours / rivals[best] if ours and best else None,
            "to_limit": ours / limit if ours and limit else None,
            "spread": {peer: value["spread"] for peer, value in by_peer.items()},
        }


def by_list(result):
    """The rows, in the order of the list; a sweep by its size."""
    order = [w["id"] for w in result["workloads"]]

    def key(row):
        name, _, size = row["name"].partition("/")
        return order.index(name), int(size or 0)
    return sorted(rows(result), key=key)


# ---- text

def table(result, chosen, headline):
    peers = [peer["name"] for peer in result["peers"] if peer["name"] not in ("ibuf", "limit")]
    lines = ["| | %s | ibuf | limit | %s | ibuf / best peer | ibuf / limit | spread, ibuf, all |"
             % (headline, " | ".join(peers)),
             "|---|---|--:|--:|%s--:|--:|--:|" % ("--:|" * len(peers))]
    for row in chosen:
        unit = row["unit"]
        cells = []
        for peer in ["ibuf", "limit"] + peers:
            text = number(row["median"].get(peer), unit)
            cells.append("**%s**" % text if peer == row["best"] else text)
        lines.append("| %s | %s, %s | %s | %s | %s | ±%.0f %%, ±%.0f %% |" % (
            row["name"], row["what"], unit, " | ".join(cells),
            verdict(row, row["best"], row["to_best"]), verdict(row, "limit", row["to_limit"]),
            row["spread"].get("ibuf", 0), max(row["spread"].values())))
    return "\n".join(lines)


def text_of(result):
    m = result["machine"]
    versions = ", ".join("%s %s" % (p["name"], p["version"])
                         for p in result["peers"] if p["version"])
    parts = [
        "Machine: %s, %d CPUs%s, Linux %s, transparent huge pages: %s. Compiler: %s; %s. "
        "Date: %s; load before the run: %.2f, after it: %s. Rounds: %d. Peers: %s." % (
            m["processor"], m["cpus"], " (virtual)" if m["virtual"] else "", m["kernel"],
            m["transparent_huge_pages"], m["compiler"], m["rust"] or "no Rust", m["date"],
            m["load_before"],
            m.get("load_after", "not recorded"), result["rounds"], versions),
        "The best peer of a row is **bold**. A ratio below 1 means that ibuf is faster; one that "
        "is less than %d %% from 1 is a tie; one is unsure when the rounds of either side spread "
        "by more than %d %%, as they do when others use the machine. A dash: that peer has no "
        "equivalent. The spread is half the distance of the extreme rounds: that of ibuf, and the "
        "largest of the row." % (100 * TIE, UNSURE),
    ]
    fixed = [row for row in by_list(result) if not row["sweep"]]
    varied = [row for row in by_list(result) if row["sweep"]]
    if fixed:
        parts.append(table(result, fixed, "workload"))
    if varied:
        parts += ["### What varies", table(result, varied, "workload / size")]
    return "\n\n".join(parts) + "\n"


def write(result, where):
    result["rows"] = list(by_list(result))
    with open(os.path.join(where, "report.json"), "w") as stream:
        json.dump(result, stream, indent=1)
        stream.write("\n")
    with open(os.path.join(where, "report.md"), "w") as stream:
        stream.write("# ibuf beside its peers\n\n" + text_of(result) +
                     "\n![ratios](ratios.svg)\n")


def publish(words, path, name, plots, folder=None):
    """Put the words of a report, and the plots of these names in a folder beside the document, between
    the markers of a run."""
    with open(path) as stream:
        text = stream.read()
    begin, end = "<!-- run %s: begin -->\n" % name, "<!-- run %s: end -->\n" % name
    before, found_begin, rest = text.partition(begin)
    _, found_end, after = rest.partition(end)
    if not found_begin or not found_end:
        raise SystemExit("bench: %s has no place for a run named %s" % (path, name))
    folder = folder or "performance/" + name
    images = "".join("\n![%s](%s/%s.svg)\n" % (plot, folder, plot) for plot in plots)
    with open(path, "w") as stream:
        stream.write(before + begin + "\n" + words + images + "\n" + end + after)
