set breakpoint pending on
set debuginfod enabled off
set width 0
break advance_points
run
tbreak variables.rad:13
continue
print i
print a
print scaled
print table
print w
print pair
print x.size0
print x.data[5]
info args
delete
break mirror_blocks
continue
tbreak variables.rad:23
continue
print mine
print other
print u
print b
print s.data[1]
backtrace 1
kill
