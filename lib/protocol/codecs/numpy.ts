import type { Codec } from './codec.ts';
import { decodeNpy, encodeNpy } from './npy.ts';
import { decodeNpz, encodeNpz } from './npz.ts';

/** `application/x-npy`: one array as `np.save` writes it, for models with one input; so the answer with one output. */
export const npyCodec: Codec = {
  mediaType: 'application/x-npy',
  decode: (body, inputs) => ({ tensors: decodeNpy(body.bytes(), inputs), form: 'bare' }),
  encode: (outputs) => ({ contentType: 'application/x-npy', body: encodeNpy(outputs) }),
};

/** `application/x-npz`: arrays by name as `np.savez` and `np.savez_compressed` write them. */
export const npzCodec: Codec = {
  mediaType: 'application/x-npz',
  decode: (body, inputs) => ({ tensors: decodeNpz(body.bytes(), inputs), form: 'bare' }),
  encode: (outputs) => ({ contentType: 'application/x-npz', body: encodeNpz(outputs) }),
};
