import EventEmitter from 'eventemitter3';
import Node from 'node:events';
for (const Kind of [EventEmitter, Node]) {
  const e = new Kind();
  e.on('a', function (...args) { console.log('a', args, this === e); });
  e.once('a', () => console.log('once'));
  console.log(e.emit('a', 1, 2, 3), e.emit('a'), e.emit('b'), e.listenerCount('a'), e.eventNames());
  e.removeAllListeners();
  console.log(e.emit('a'));
}
const e = new Node({ captureRejections: true });
e.on('error', (error) => console.log('captured', error.message));
e.on('x', async () => { throw new Error('rejected'); });
e.emit('x');
try { new Node().emit('error', new Error('unheard')); } catch (error) { console.log(error.message); }
try { new Node().emit('error', { no: 'error' }); } catch (error) { console.log(error.message, error.code); }
