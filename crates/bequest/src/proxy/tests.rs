use super::*;

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

fn chosen(proxies: &Proxies, target: &str) -> Option<String> {
    proxies.select(&url(target)).unwrap().map(|server| server.host.to_string())
}

#[test]
fn the_key_that_says_most_wins() {
    let keys = ["all", "all://h", "http", "http://h"];
    for most in 0..keys.len() {
        // In any order.
        for turn in 0..=most {
            let mut proxies = Proxies::new();
            for at in 0..=most {
                let at = (at + turn) % (most + 1);
                proxies = proxies.on(keys[at], format!("http://proxy{at}:1")).unwrap();
            }
            assert_eq!(chosen(&proxies, "http://h/"), Some(format!("proxy{most}")));
        }
    }
}
