import { createOnnxEngine } from '../../lib/engines/onnx/onnx.ts';
import { fakeEngine, fakeModel } from '../fakes/fake-engine.ts';
import { linearModel } from '../fixtures/onnx-model.ts';
import { engineContract } from './engine.contract.ts';

engineContract('fake', {
  engine: fakeEngine(),
  file: { name: 'model.onnx', content: fakeModel({ weights: [1, 2], bias: 3 }) },
});
engineContract('onnxruntime', {
  engine: createOnnxEngine(),
  file: { name: 'model.onnx', content: linearModel([1, 2], 3) },
});
