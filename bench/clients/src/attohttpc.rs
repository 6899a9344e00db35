//! attohttpc. It opens a connection for each request.

use attohttpc::Session;
use harness::{BUFFER, Job};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

fn main() {
    let job = Job::from_args();
    let mut s = Session::new();
    if let Some(pem) = job.ca_pem() {
        s.add_root_certificate(CertificateDer::from_pem_slice(&pem).expect("a certificate"));
    }
    let get = |url: &str| {
        let r = s.get(url).send().expect("a response");
        assert_eq!(r.status(), 200);
        r.bytes().expect("a body").len() as u64
    };
    match job.mode.as_str() {
        "get" => job.run(get, get),
        "download" => {
            let mut buffer = vec![0; BUFFER];
            job.run(get, |url| {
                let r = s.get(url).send().expect("a response");
                assert_eq!(r.status(), 200);
                harness::drain(r, &mut buffer)
            });
        }
        "upload" => job.run(get, |url| {
            let r = s.put(url).file(job.file().0).send().expect("a response");
            assert_eq!(r.status(), 200);
            harness::number(&r.bytes().expect("a body"))
        }),
        other => harness::cannot(other),
    }
}
