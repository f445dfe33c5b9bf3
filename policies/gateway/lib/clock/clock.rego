# METADATA
# title: Hours of the week, from the text of a moment
# description: |
#   Pure arithmetic: the only clock is the document's, and whoever calls hands it over. Nothing here reads the input, so
#   that a site without hours has documents without a time.
package gateway.lib.clock

day_minutes := 24 * 60

# The day 0 is 1970-01-01, a Thursday.
names := {0: "mon", 1: "tue", 2: "wed", 3: "thu", 4: "fri", 5: "sat", 6: "sun"}

powers := {2: 100, 4: 10000}

# METADATA
# title: Minutes since 1970 of a text like 2026-11-25T08:20:00Z
# description: Undefined for any other text.
minutes(moment) := (day_number(moment) * day_minutes) + ((digits(moment, 11, 2) * 60) + digits(moment, 14, 2)) if {
	regex.match(`^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:00Z$`, moment)
}

# Days since 1970-01-01 in the Gregorian calendar; a year is counted from March, so that a leap day is its last.
day_number(moment) := ((days_of_years(year) + floor(((153 * month) + 2) / 5)) + digits(moment, 8, 2)) - 719469 if {
	calendar_month := digits(moment, 5, 2)
	year := digits(moment, 0, 4) - floor((14 - calendar_month) / 12)
	month := (calendar_month + 9) % 12
}

days_of_years(year) := (((365 * year) + floor(year / 4)) - floor(year / 100)) + floor(year / 400)

# The digit before keeps zeros in front out of the number.
digits(text, start, length) := to_number(concat("", ["1", substring(text, start, length)])) - powers[length]

# METADATA
# title: The moment lies in an entry's hours
# description: |
#   `from` and `to` are minutes of the day at `utc_offset`, `to` is the first one outside. Hours that end before they
#   begin go over midnight and belong to the day on which they begin.
within(entry, moment) if {
	local := minutes(moment) + entry.utc_offset
	day := floor(local / day_minutes)
	minute := local - (day * day_minutes)
	open_at(entry, day, minute)
}

# Of hours over midnight this has no minute.
open_at(entry, day, minute) if {
	names[(day + 3) % 7] in entry.days
	minute >= entry.from
	minute < entry.to
}

open_at(entry, day, minute) if {
	entry.from >= entry.to
	names[(day + 3) % 7] in entry.days
	minute >= entry.from
}

open_at(entry, day, minute) if {
	entry.from >= entry.to
	names[(day + 2) % 7] in entry.days
	minute < entry.to
}
