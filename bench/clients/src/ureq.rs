//! ureq.

use harness::{BUFFER, Job};
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::{Agent, SendBody};

fn main() {
    let job = Job::from_args();
    let mut config = Agent::config_builder();
    if let Some(pem) = job.ca_pem() {
        let ca = Certificate::from_pem(&pem).expect("a certificate");
        let roots = RootCerts::new_with_certs(&[ca]);
        config = config.tls_config(TlsConfig::builder().root_certs(roots).build());
    }
    let agent = config.build().new_agent();
    let get = |url: &str| {
        let mut r = agent.get(url).call().expect("a response");
        assert_eq!(r.status(), 200);
        r.body_mut().read_to_vec().expect("a body").len() as u64
    };
    match job.mode.as_str() {
        "get" => job.run(get, get),
        #[cfg(feature = "cookies")]
        "session" => job.run(get, get),
        #[cfg(feature = "cookies")]
        "jar" => {
            harness::cookies_of_sites(|site, name, value| {
                let site = site.parse().expect("a URL");
                let cookie = ureq::Cookie::parse(format!("{name}={value}"), &site);
                let mut jar = agent.cookie_jar_lock();
                jar.insert(cookie.expect("a cookie"), &site).expect("to be kept");
            });
            job.run(get, get);
        }
        "download" => {
            let mut buffer = vec![0; BUFFER];
            job.run(get, |url| {
                let mut r = agent.get(url).call().expect("a response");
                assert_eq!(r.status(), 200);
                harness::drain(r.body_mut().as_reader(), &mut buffer)
            });
        }
        "upload" => job.run(get, |url| {
            let (file, length) = job.file();
            let request = agent.put(url).header("Content-Length", length.to_string());
            let mut r = request.send(SendBody::from_owned_reader(file)).expect("a response");
            assert_eq!(r.status(), 200);
            harness::number(&r.body_mut().read_to_vec().expect("a body"))
        }),
        other => harness::cannot(other),
    }
}
