"""Reference for schedules: who is on call in each quarter of an hour, by Python's zoneinfo.

Standard input: a schedule a line, as JSON. All times count quarters of an hour since 1970, of instants by UTC and of civil times by
the clock on the wall; people are small numbers.

  zone       the schedule's zone
  layers     later ones are over earlier ones where they have somebody: start and until (or null), zone (or null), hand_off (a civil
             time, or null), turn (quarters of the civil clock), members, windows (quarters in a period, from, until)
  overrides  from, until, person; later ones are over earlier ones
  ranges     from, until

Standard output: for each schedule a line of JSON, for each range a list of [person or -1, from, until].
"""

import json
import sys
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import groupby
from zoneinfo import ZoneInfo

QUARTER = timedelta(minutes=15)
DAY = 96
WEEK = 7 * DAY
# 1970 began on a Thursday.
MONDAY_TO_EPOCH = 3 * DAY
# No clock that is asked for was ever put back by so much.
LONGEST_STEP_BACK = 3 * DAY


@lru_cache(maxsize=None)
def zone_of(name):
    return ZoneInfo(name)


def civil(name, quarter):
    """What the clock on the wall shows at an instant."""
    offset = datetime.fromtimestamp(quarter * 900, zone_of(name)).utcoffset()
    quarters, rest = divmod(offset, QUARTER)
    assert not rest, (name, quarter, offset)
    return quarter + quarters


@lru_cache(maxsize=None)
def clock(name, first, until):
    """What a clock shows over a span; while it repeats itself, the latest that it has shown."""
    latest = max(civil(name, first - back) for back in range(LONGEST_STEP_BACK))
    shown = []
    for quarter in range(first, until):
        latest = max(latest, civil(name, quarter))
        shown.append(latest)
    return shown


def is_open(window, now):
    period, begin, end = window
    place = (now + (MONDAY_TO_EPOCH if period == WEEK else 0)) % period
    # How long ago it opened, and how long it stays open.
    return (place - begin) % period < (end - begin) % period


def lay(layer, zone, first, people):
    """Puts the people of a layer over whoever is there."""
    name = layer["zone"] or zone
    members, windows = layer["members"], layer["windows"]
    anchor = layer["hand_off"]
    if anchor is None:
        anchor = civil(name, layer["start"])
    end = len(people) if layer["until"] is None else layer["until"] - first
    shown = clock(name, first, first + len(people))
    if not members:
        return
    for place in range(max(layer["start"] - first, 0), min(end, len(people))):
        now = shown[place]
        if not windows or any(is_open(window, now) for window in windows):
            turn = (now - anchor) // layer["turn"]
            people[place] = members[turn % len(members)]


def shifts(people, first, span):
    """Who is on call from when until when within a span."""
    begin, until = span
    found = []
    for person, group in groupby(people[begin - first : until - first]):
        length = sum(1 for _ in group)
        found.append([person, begin, begin + length])
        begin += length
    return found


def main():
    for line in sys.stdin.read().splitlines():
        schedule = json.loads(line)
        ranges = schedule["ranges"]
        first = min(begin for begin, _ in ranges)
        people = [-1] * (max(until for _, until in ranges) - first)
        for layer in schedule["layers"]:
            lay(layer, schedule["zone"], first, people)
        for begin, until, person in schedule["overrides"]:
            for place in range(max(begin - first, 0), min(until - first, len(people))):
                people[place] = person
        print(json.dumps([shifts(people, first, span) for span in ranges]))


main()
