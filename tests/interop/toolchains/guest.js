// SPDX-License-Identifier: Apache-2.0
// The program of guest.c in JavaScript, as a component: what it fails with is a status of 1, whatever it is.
import { getArguments, getEnvironment } from 'wasi:cli/environment@0.2.0';
import { getStdin } from 'wasi:cli/stdin@0.2.0';
import { getDirectories } from 'wasi:filesystem/preopens@0.2.0';

const firstLine = (bytes) => new TextDecoder().decode(bytes).split('\n')[0];

export const run = {
    run() {
        const data = getDirectories().find(([, name]) => name === '/data')?.[0];
        if (!data) {
            console.log('no file');
            throw undefined;
        }
        const list = data.openAt({}, 'list', {}, { read: true });
        for (const arg of getArguments().slice(1)) console.log(`arg ${arg}`);
        console.log(`env ${new Map(getEnvironment()).get('CUP')}`);
        console.log(`file ${firstLine(list.read(256n, 0n)[0])}`);
        console.log(`input ${firstLine(getStdin().blockingRead(256n))}`);
        const out = data.openAt({}, 'out', { create: true, truncate: true }, { write: true });
        out.write(new TextEncoder().encode('written\n'), 0n);
        throw undefined;
    },
};
