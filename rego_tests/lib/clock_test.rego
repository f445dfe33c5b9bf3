package gateway.lib.clock_test

import data.gateway.lib.clock

# What `date -u -d … +%s` says, by 60.
known := {
	"1970-01-01T00:00:00Z": 0,
	"1970-01-01T00:01:00Z": 1,
	"1999-12-31T23:59:00Z": 15778079,
	"2000-02-28T12:00:00Z": 15862320,
	"2000-02-29T00:00:00Z": 15863040,
	"2000-03-01T00:00:00Z": 15864480,
	"2024-02-29T08:09:00Z": 28486569,
	"2026-11-25T08:20:00Z": 29926580,
	"2100-02-28T23:59:00Z": 68459039,
	"2100-03-01T00:00:00Z": 68459040,
	"2400-12-31T23:00:00Z": 226684740,
}

test_a_moment_is_a_number_of_minutes if {
	every text, minutes in known {
		clock.minutes(text) == minutes
	}
}

test_another_text_is_no_moment if {
	every text in [
		"",
		"now",
		"2026-11-25T08:20:01Z",
		"2026-11-25T08:20:00+01:00",
		"2026-11-25 08:20:00Z",
		"x2026-11-25T08:20:00Z",
		"2026-11-25T08:20:00Zx",
		20261125,
		null,
		["2026-11-25T08:20:00Z"],
	] {
		not clock.minutes(text)
	}
}

week := {
	"2026-11-23": "mon",
	"2026-11-24": "tue",
	"2026-11-25": "wed",
	"2026-11-26": "thu",
	"2026-11-27": "fri",
	"2026-11-28": "sat",
	"2026-11-29": "sun",
}

at(day, hour) := concat("", [day, "T", hour, ":00Z"])

hours(days, from, to, offset) := {"days": days, "from": from, "to": to, "utc_offset": offset}

test_each_day_has_its_name if {
	every date, day in week {
		clock.within(hours([day], 0, 1440, 0), at(date, "00:00"))
		clock.within(hours([day], 0, 1440, 0), at(date, "23:59"))
		every other in {name | some name in week; name != day} {
			not clock.within(hours([other], 0, 1440, 0), at(date, "12:00"))
		}
	}
}

test_hours_begin_with_their_first_minute_and_end_before_their_last if {
	office := hours(["wed"], 480, 1080, 0)
	clock.within(office, at("2026-11-25", "08:00"))
	clock.within(office, at("2026-11-25", "17:59"))
	not clock.within(office, at("2026-11-25", "07:59"))
	not clock.within(office, at("2026-11-25", "18:00"))
}

test_hours_over_midnight_belong_to_the_day_on_which_they_begin if {
	night := hours(["wed"], 1320, 360, 0)
	clock.within(night, at("2026-11-25", "22:00"))
	clock.within(night, at("2026-11-26", "05:59"))
	not clock.within(night, at("2026-11-25", "21:59"))
	not clock.within(night, at("2026-11-26", "06:00"))
	not clock.within(night, at("2026-11-25", "05:00"))
	not clock.within(night, at("2026-11-26", "22:00"))
	late := hours(["sun"], 1320, 360, 0)
	clock.within(late, at("2026-11-23", "05:00"))
}

test_hours_are_those_of_a_place if {
	berlin := hours(["wed"], 0, 60, 60)
	clock.within(berlin, at("2026-11-24", "23:00"))
	not clock.within(berlin, at("2026-11-25", "00:00"))
	mumbai := hours(["wed"], 480, 540, 330)
	clock.within(mumbai, at("2026-11-25", "02:30"))
	not clock.within(mumbai, at("2026-11-25", "08:00"))
	denver := hours(["wed"], 1020, 1440, -420)
	clock.within(denver, at("2026-11-26", "06:59"))
	not clock.within(denver, at("2026-11-26", "07:00"))
}

test_a_moment_that_is_none_lies_in_no_hours if {
	not clock.within(hours(["wed"], 0, 1440, 0), "2026-11-25")
	not clock.within(hours(["wed"], 1320, 360, 0), "soon")
}
