#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""NBD servers that look at the name in a client's certificate.

usage: tls-authz.py      with BUILD in the environment, in a folder of its own; certtool makes the certificates
"""
import json
import os
import subprocess

BUILD = os.environ['BUILD'] + '/'
CREDS = f'tls-creds-x509,id=t,dir={os.getcwd()},endpoint='
TRIES = []      # each server has files of its own: one may still be ending


def run(*args, code=0):
    p = subprocess.run(args, capture_output=True, text=True, timeout=60, check=False)
    assert p.returncode == code, f'{args}: {p.returncode}\n{p.stdout}{p.stderr}'
    return p.stderr


def certificates():
    for name, more in (('ca', 'ca\ncert_signing_key\n'), ('server', 'dns_name = localhost\ntls_www_server\n'), ('client', 'tls_www_client\n')):
        with open(name + '.info', 'w', encoding='utf-8') as f:
            f.write(f'country = GB\ncn = {name}\n{more}')
        run('certtool', '--generate-privkey', '--ecc', '--outfile', name + '-key.pem')
        by = (['--generate-self-signed'] if name == 'ca' else
              ['--generate-certificate', '--load-ca-certificate', 'ca-cert.pem', '--load-ca-privkey', 'ca-key.pem'])
        run('certtool', *by, '--load-privkey', name + '-key.pem', '--template', name + '.info', '--outfile', name + '-cert.pem')


def served(authz):
    """Whether a client may read what a server with that object has."""
    TRIES.append(authz)
    sock, pid = os.path.abspath(f'sock{len(TRIES)}'), f'pid{len(TRIES)}'
    run(BUILD + 'qemu-nbd', '--fork', '-t', '-k', sock, '--pid-file=' + pid, '--object', CREDS + 'server', '--object', authz,
        '--tls-creds=t', '--tls-authz=a', '-f', 'raw', 'disk')
    p = subprocess.run([BUILD + 'qemu-img', 'info', '--object', CREDS + 'client', '--image-opts',
                        f'driver=nbd,server.type=unix,server.path={sock},tls-creds=t,tls-hostname=localhost'],
                       capture_output=True, timeout=60, check=False)
    with open(pid, encoding='utf-8') as f:
        os.kill(int(f.read()), 15)
    return p.returncode == 0


def rules(policy, *rows):
    with open('rules', 'w', encoding='utf-8') as f:
        json.dump({'policy': policy, 'rules': list(rows)}, f)
    return 'authz-list-file,id=a,filename=' + os.path.abspath('rules')


def test_simple():
    assert served('authz-simple,id=a,identity=C=GB,,CN=client')
    assert not served('authz-simple,id=a,identity=C=GB,,CN=other')


def test_rules():
    assert served(rules('deny', {'match': '*CN=cl*', 'policy': 'allow', 'format': 'glob'}))
    assert not served(rules('allow', {'match': 'C=GB,CN=client', 'policy': 'deny'}))
    assert served(rules('allow', {'match': 'C=GB,CN=other', 'policy': 'deny'}))
    assert not served(rules('deny'))


def test_mistakes():
    nbd = [BUILD + 'qemu-nbd', '-k', os.path.abspath('sock'), '-f', 'raw', 'disk', '--object', CREDS + 'server']
    assert 'not permitted without' in run(*nbd, '--tls-authz=a', code=1)
    assert "No authorization object with id 'a'" in run(*nbd, '--tls-creds=t', '--tls-authz=a', code=1)
    assert 'is not an authorization object' in run(*nbd, '--tls-creds=t', '--tls-authz=t', code=1)
    assert 'policy must be' in run(*nbd, '--object', rules('maybe'), code=1)
    assert "has no 'match'" in run(*nbd, '--object', rules('deny', {'policy': 'deny'}), code=1)
    assert "'identity' is not set" in run(*nbd, '--object', 'authz-simple,id=a', code=1)


certificates()
with open('disk', 'wb') as disk:
    disk.truncate(1 << 20)
for test_name, function in list(globals().items()):
    if test_name.startswith('test_'):
        function()
        print(test_name, flush=True)
