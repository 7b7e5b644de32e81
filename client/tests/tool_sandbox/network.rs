//! No way out, to other machines or to this one's services.

use std::net::{TcpListener, UdpSocket};
use std::os::unix::net::{UnixDatagram, UnixListener};

use scorpiox_client::tool::sandbox::policy::{Access, Network};

use crate::project::{ISOLATIONS, Project, exited};

#[test]
fn nothing_is_reached() {
    let (tcp, udp) = (TcpListener::bind("127.0.0.1:0").unwrap(), UdpSocket::bind("127.0.0.1:0").unwrap());
    for isolation in ISOLATIONS {
        let project = Project::held_by(isolation);
        let (stream, datagram) = (project.path("home/p/s"), project.path("home/p/d"));
        let _listening = UnixListener::bind(&stream).unwrap();
        let _receiving = UnixDatagram::bind(&datagram).unwrap();
        let attempts = [
            ("tcp", tcp.local_addr().unwrap().to_string()),
            ("udp", udp.local_addr().unwrap().to_string()),
            ("unix_stream", stream.to_str().unwrap().to_owned()),
            ("unix_datagram", datagram.to_str().unwrap().to_owned()),
        ];
        for (name, argument) in attempts {
            let script = project.attempt(name, &argument);
            project.run(&script).refused();
            let ended = project.run_in(project.launcher.unconfined(), &script);
            assert_eq!(ended.ending, exited(0), "without a sandbox it succeeds: {}", ended.output);
        }
    }
}

#[test]
fn a_program_can_speak_with_itself() {
    let project = Project::sandboxed();
    let ended = project.run(&project.attempt("pair", ""));
    assert_eq!(ended.ending, exited(0), "{}", ended.output);
}

#[test]
fn a_network_that_is_allowed_is_there_and_unix_sockets_stay_closed() {
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    for isolation in ISOLATIONS {
        let project = Project::held_by(isolation);
        let boundary = || project.sandbox().boundary(Access::Write, Network::Allowed);
        let ended = project.run_in(boundary(), &project.attempt("tcp", &tcp.local_addr().unwrap().to_string()));
        assert_eq!(ended.ending, exited(0), "{}", ended.output);
        let socket = project.path("home/p/s");
        let _listening = UnixListener::bind(&socket).unwrap();
        project.run_in(boundary(), &project.attempt("unix_stream", socket.to_str().unwrap())).refused();
    }
}
