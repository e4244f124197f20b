-- Has wrk ask as a client of a forward proxy does: with an absolute-form target. wrk forms the
-- request once, from these, and sends the same bytes each time.
wrk.headers["Host"] = "@ORIGIN@"
wrk.path = "http://@ORIGIN@" .. wrk.path
