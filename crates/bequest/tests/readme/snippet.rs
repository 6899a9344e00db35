{
    let mut s = Session::new();
    s.timeout = Duration::from_secs(5).into(); // for every request; Requests has no such line
    s.headers.insert("X-Test", "true");

    let r = s.get("https://httpbin.org/get").params([("lang", "en")]).header("x-Order", "kept").send()?;
    println!("{} {}", r.status(), r.headers().get("content-type").unwrap_or("-"));
    println!("{}", r.json::<Value>()?["args"]);
    for (name, value) in &r.request().headers {
        println!("> {name}: {}", String::from_utf8_lossy(value));
    }

    let error = s.get("https://httpbin.org/delay/9").timeout(Duration::from_millis(300)).send().unwrap_err();
    println!("{error}");
}
