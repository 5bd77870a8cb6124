// SPDX-License-Identifier: Apache-2.0

// After sleep a connection may look ready on a path that is gone: whether it is dead.

internal import NIOCore

/// Judges one connection after a wake-up.
///
/// The system says whether a connection has a path. One that has none gets a grace after the wake-up, because the
/// network takes a while to come back; one that has a path is left to TCP's own questions, however silent it is.
///
/// | event | what follows |
/// |---|---|
/// | wake-up | look again after the grace |
/// | a path, or bytes | alive: nothing is looked at again |
/// | no path | counts at the next look |
/// | the look | dead without a path, else alive |
struct WakeCheck {
    private let grace: TimeAmount
    private var hasPath = true
    private var look: NIODeadline?

    init(grace: TimeAmount) { self.grace = grace }

    /// The system woke up; returns when to look.
    mutating func woke(at now: NIODeadline) -> NIODeadline {
        let next = now + grace
        look = next
        return next
    }

    mutating func pathChanged(hasPath: Bool) { self.hasPath = hasPath }

    /// Bytes came: there is a path, whatever the system says.
    mutating func heard() { hasPath = true }

    /// Whether the connection is dead, at the time that the last wake-up named; earlier looks say no.
    mutating func isDead(at now: NIODeadline) -> Bool {
        guard let look, now >= look else { return false }
        self.look = nil
        return !hasPath
    }
}

/// The system says whether a connection has a path.
struct PathViability: Sendable { var isViable: Bool }

/// The system woke up.
struct SystemWoke: Sendable {}

/// Ends a connection that is still without a path a while after a wake-up.
final class WakeHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private var check: WakeCheck
    private var look: Scheduled<Void>?
    private let died: () -> Void

    init(grace: TimeAmount, died: @escaping () -> Void) {
        check = WakeCheck(grace: grace)
        self.died = died
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        check.heard()
        context.fireChannelRead(data)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case let path as PathViability:
            check.pathChanged(hasPath: path.isViable)
        case is SystemWoke:
            let loop = context.eventLoop
            let this = NIOLoopBound((self, context), eventLoop: loop)
            look?.cancel()
            look = loop.scheduleTask(deadline: check.woke(at: loop.now)) { this.value.0.looked(this.value.1) }
        default:
            context.fireUserInboundEventTriggered(event)
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) { look?.cancel() }

    private func looked(_ context: ChannelHandlerContext) {
        guard check.isDead(at: context.eventLoop.now) else { return }
        died()
        context.fireErrorCaught(ChannelError.eof)
        context.close(promise: nil)
    }
}
