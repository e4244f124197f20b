-- What wrk asks for. It forms the request once, from these, and sends the same bytes each time.
wrk.method = "@METHOD@"
wrk.path = "@TARGET@"
wrk.headers["Host"] = "@ORIGIN@"
if @BODY@ > 0 then
   wrk.body = string.rep("x", @BODY@)
end
