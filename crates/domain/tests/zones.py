"""Reference for hand-offs: when the clock of a zone first shows a civil time, by Python's zoneinfo.

Arguments: plans DAYS@HH:MM, a hand-off every so many days at that time of day, in the years 1990 to 2039.
Without arguments: the names of all zones that are known, one a line.
Standard input: names of zones, one a line.
Standard output: for each zone, for each plan, the number of hand-offs and then the second of each since 1970 (both as
native 64-bit integers). Without any zone the exit status is 3.
"""

import array
import sys
from datetime import datetime, timedelta

try:
    import zoneinfo
except ImportError:
    sys.exit(3)

EPOCH = datetime(1970, 1, 1)
FIRST = datetime(1990, 1, 1)
LAST = datetime(2040, 1, 1)
SECOND = timedelta(seconds=1)


def shown_at(zone, second):
    """Seconds that the clock on the wall shows at an instant."""
    offset = datetime.fromtimestamp(second, zone).utcoffset()
    return second + offset // SECOND


def moment_of_skip(zone, civil, early, late):
    """The first instant, after `early` and not after `late`, at which the clock shows `civil` or more."""
    while late - early > 1:
        middle = (early + late) // 2
        if shown_at(zone, middle) < civil:
            early = middle
        else:
            late = middle
    return late


class Plan:
    def __init__(self, text):
        days, time = text.split("@")
        hour, minute = map(int, time.split(":"))
        civil = FIRST + timedelta(hours=hour, minutes=minute)
        self.first_pass = []
        while civil < LAST:
            self.first_pass.append(civil)
            civil += timedelta(days=int(days))
        self.second_pass = [civil.replace(fold=1) for civil in self.first_pass]
        self.seconds = [(civil - EPOCH) // SECOND for civil in self.first_pass]

    def hand_offs(self, zone):
        # What a time would mean by the clocks before a change nearby, and by those after it (PEP 495).
        before = list(map(zone.utcoffset, self.first_pass))
        after = list(map(zone.utcoffset, self.second_pass))
        width = {offset: offset // SECOND for offset in set(before) | set(after)}
        instants = array.array("q", [c - width[offset] for c, offset in zip(self.seconds, before)])
        for index, (early, late) in enumerate(zip(before, after)):
            # A repeated time has the greater offset in its first pass, which is right already.
            if early < late:
                civil = self.seconds[index]
                instants[index] = moment_of_skip(zone, civil, civil - width[late], civil - width[early])
        return instants


def main():
    known = zoneinfo.available_timezones()
    if not known:
        sys.exit(3)
    plans = [Plan(text) for text in sys.argv[1:]]
    if not plans:
        print("\n".join(sorted(known)))
        return
    out = sys.stdout.buffer
    for name in sys.stdin.read().split():
        for plan in plans:
            instants = plan.hand_offs(zoneinfo.ZoneInfo(name))
            out.write(array.array("q", [len(instants)]).tobytes())
            out.write(array.array("q", instants).tobytes())


main()
