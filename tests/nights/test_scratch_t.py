import time
def test_scratch(town):
    t=time.time(); o = town.run(); print(time.time()-t, o.seconds)
    print(o.results)
    for f in town.flags(): print(f)
    for q in town.refused(): print(q)
    a = town.content()
    t=time.time(); o = town.run(); print(time.time()-t, o.seconds, o.results, o.began)
    assert town.content()==a
