"""What came of a run of the benchmark: tables for people, JSON for programs, plots."""

import json
import os

import plots
import report

OURS, REDIS = "ibuf-relay", "redis-server"

COLOURS = {"ibuf-relay": "#1f77b4", "ibuf-relay, 2 threads": "#17becf",
           "redis-server": "#d62728", "limit": "#7f7f7f"}

# file: title, what the y axis says, the value, its scale, which rows, what the x axis is
PLOTS = {
    "cost": ("CPU of the server, 100 subscribers by TCP", "CPU seconds for a million deliveries",
             "cost", 1, "tcp/100/", "size"),
    "cost-unix": ("CPU of the server, 100 subscribers by Unix sockets",
                  "CPU seconds for a million deliveries", "cost", 1, "unix/100/", "size"),
    "rate": ("Many messages in flight, 100 subscribers by TCP", "deliveries per second", "rate",
             1, "tcp/100/", "size"),
    "latency": ("One message at a time, 1 KiB by TCP", "p99 of the latency, us", "p99", 1,
                "tcp/*/1024", "subscribers"),
    "memory": ("Peak memory of the server, 1 MiB by TCP", "MiB", "peak", 1 / (1 << 20),
               "tcp/*/1048576", "subscribers"),
}


def bytes_text(n):
    for unit, name in ((1 << 20, "MiB"), (1 << 10, "KiB")):
        if n >= unit:
            return "%d %s" % (n // unit, name)
    return "%d B" % n


def number(value):
    if value >= 1e5:
        return "%.0fk" % (value / 1e3)
    return "%.0f" % value if value >= 100 else "%.3g" % value


def ratio_text(by_server):
    """Deliveries per CPU second, ours by redis-server's, and whether the rounds bear it."""
    ours, redis = (by_server[name]["cost"] for name in (OURS, REDIS))
    text = "%.2f" % (redis["median"] / ours["median"])
    unsure = max(ours["spread"], redis["spread"]) > report.UNSURE
    return text + " (unsure)" if unsure else text


def table(result, heads, cells):
    """A line for each row; cells(by_server) gives what stands behind its name."""
    lines = ["| socket | subscribers | payload | %s |" % " | ".join(heads),
             "|---|--:|--:|%s" % ("--:|" * len(heads))]
    for row in result["rows"]:
        lines.append("| %s | %d | %s | %s |" % (
            row["socket"], row["subscribers"], bytes_text(row["size"]),
            " | ".join(cells(result["values"][row["name"]]))))
    return "\n".join(lines)


def medians(result, what, scale=1):
    def cells(by_server):
        return [number(by_server[name][what]["median"] * scale) for name in result["versions"]]
    return cells


def cost_table(result):
    def cells(by_server):
        spread = max(by_server[name]["cost"]["spread"] for name in (OURS, REDIS))
        return medians(result, "cost")(by_server) + [ratio_text(by_server), "±%.0f %%" % spread]
    return table(result, list(result["versions"]) + ["redis-server / ibuf-relay", "spread"], cells)


def rate_table(result):
    def cells(by_server):
        return ["%s (%.0f, %.0f %%)" % (number(v["rate"]["median"]), 100 * v["busy"]["median"],
                                        100 * v["load_busy"]["median"])
                for v in (by_server[name] for name in result["versions"])]
    return table(result, result["versions"], cells)


def latency_table(result):
    def cells(by_server):
        return ["%s, %s" % (number(v["p50"]["median"]), number(v["p99"]["median"]))
                for v in (by_server[name] for name in result["versions"])]
    return table(result, result["versions"], cells)


def machine_text(result):
    m = result["machine"]
    versions = ", ".join("%s %s" % pair for pair in result["versions"].items() if pair[1])
    return ("Machine: %s, %d CPUs%s, Linux %s, TCP congestion control: %s. Compiler: %s. Date: %s; "
            "load before the run: %.2f, after it: %s. Rounds: %d, of %g s each. Servers: %s." % (
                m["processor"], m["cpus"], " (virtual)" if m["virtual"] else "", m["kernel"],
                m["congestion_control"], m["compiler"], m["date"], m["load_before"],
                m["load_after"], result["rounds"], result["seconds"], versions))


def text_of(result):
    return "\n\n".join([
        machine_text(result),
        "**CPU seconds of the server for a million deliveries**, many messages in flight. The "
        "ratio is that of deliveries per CPU second: above 1, ibuf-relay needs less. It is unsure "
        "when the rounds of either spread by more than %d %%." % report.UNSURE,
        cost_table(result),
        "**Deliveries per second**, many messages in flight; in brackets how busy the CPU of the "
        "server was, and that of the load. Where the load is near 100 % it is what limits.",
        rate_table(result),
        "**Latency, one message at a time**: p50 and p99 in microseconds, from before PUBLISH is "
        "written until a subscriber's client has parsed the message.",
        latency_table(result),
        "**Peak memory of the server**, MiB resident; what sockets hold is the kernel's and is "
        "not in it.",
        table(result, result["versions"], medians(result, "peak", 1 / (1 << 20))),
    ]) + "\n"


def write(result, where):
    with open(os.path.join(where, "report.json"), "w") as stream:
        json.dump(result, stream, indent=1)
        stream.write("\n")
    with open(os.path.join(where, "report.md"), "w") as stream:
        stream.write("# ibuf-relay beside redis-server\n\n" + text_of(result))


def points_of(result, server, what, scale, pattern, axis):
    before, _, after = pattern.partition("*")
    for row in result["rows"]:
        if row["name"].startswith(before) and row["name"].endswith(after):
            yield row[axis], result["values"][row["name"]][server][what]["median"] * scale


def draw_one(result, where, name, kinds):
    """One curve for each server; False: there are not two points to draw."""
    title, y, what, scale, pattern, axis = PLOTS[name]
    blocks, curves = "", []
    for i, server in enumerate(result["versions"]):
        points = ["%g %g" % p for p in points_of(result, server, what, scale, pattern, axis)]
        if len(points) < 2:
            return False
        blocks += plots.block("d%d" % i, points)
        curves.append("$d%d using 1:2 with linespoints title '%s' linewidth %d dashtype %d "
                      "pointtype %d linecolor rgb '%s'" % (
                          i, server, 4 if server == OURS else 2, 3 if server == "limit" else 1,
                          i + 4, COLOURS[server]))
    plots.gnuplot(where, name, blocks + """
set title '%s'
set xlabel '%s'
set ylabel '%s'
set logscale xy
set format x '%s'
set key outside bottom center horizontal
plot %s
""" % (title, "bytes of a payload" if axis == "size" else axis, y,
       "%.0b%B" if axis == "size" else "%g", ", ".join(curves)), kinds)
    return True


def draw(result, where, kinds=tuple(plots.TERMINALS)):
    """Draw all of them; the names of those that were drawn."""
    os.makedirs(where, exist_ok=True)
    return [name for name in PLOTS if draw_one(result, where, name, kinds)]


def publish(result, docs):
    drawn = draw(result, os.path.join(docs, "performance"), ("svg",))
    report.publish(text_of(result), os.path.join(docs, "performance.md"), "relay", drawn,
                   "performance")
