#!/usr/bin/env bash
# Shows that the models can fail: breaks one thing at a time in a copy of the source and expects a model to notice.
# Not part of the tests: each mutation is a build and a run. ONLY="part of a name" chooses.
set -euo pipefail
source "$(dirname "$0")/common.sh"

copy=$BUILD/mutations
export CARGO_TARGET_DIR=$TARGET/mutations CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16
export RUSTFLAGS="--cfg shuttle" RUST_BACKTRACE=0 WDSOCKET_SCHEDULES=${WDSOCKET_SCHEDULES:-2000}

survived=0
mutate() { # WHAT FILES PERL-SUBSTITUTION
  [[ $1 == *"${ONLY:-}"* ]] || return 0
  rm -rf "$copy"
  mkdir -p "$copy"
  cp -r Cargo.toml Cargo.lock build.rs cbindgen.toml src include test-server "$copy"
  (cd "$copy" && perl -0pi -e "$3" $2) # several files, split on purpose
  ! diff -rq src "$copy/src" > /dev/null || fail "the mutation \"$1\" changes nothing"
  local log=$BUILD/mutation.log caught
  if (cd "$copy" && timeout 600 cargo test --release --lib models) > "$log" 2>&1; then
    echo "| $1 | SURVIVED |"
    survived=$((survived + 1))
  else
    caught=$(sed -n 's/^test models::\(.*\) \.\.\. FAILED$/`\1`/p' "$log" | sort | head -3 | paste -sd, | sed 's/,/, /g')
    [[ -n $caught ]] || fail "the mutation \"$1\" does not build: see $log"
    echo "| $1 | $caught |"
  fi
}

echo "| broken | noticed by (at most three shown) |"
echo "|---|---|"
mutate "a reader that has taken a message does not wake the next" src/socket/read.rs \
  's/core\.hand_on\(\);\n        result/result/; s/core\.hand_on\(\);\n( +return Ok\(Some\(value\)\);)/$1/'
mutate "a reader that leaves does not tell the service task" src/socket/handover.rs \
  's/self\.watch = Watch::Timed;\n        true/self.watch = Watch::Timed;\n        false/'
mutate "bytes kept behind a full queue are decoded once only" src/socket/receive.rs \
  's/            if self\.has_undecoded\(\) \{\n                return Stopped::Enough;\n            \}\n//; s/            self\.decode_undecoded\(socket\);\n            if !/            if !/; s/(        self\.budget = BUDGET;)/$1\n        self.decode_undecoded(socket);/'
mutate "room in the receive queue is made without a word" src/socket/tell.rs \
  's/(received\.(begin_delivery|remove)\(length\))/$1 \&\& false/g'
mutate "stopping to read is announced after the last look, not before" src/socket/received.rs \
  's/self\.paused\.store\(true, SeqCst\);\n        if self\.has_room\(\) \{\n            self\.paused\.store\(false, SeqCst\);\n            return false;\n        \}\n        true/self.paused.store(true, SeqCst);\n        true/'
mutate "room in the send queue is made without a word" src/socket/core.rs \
  's/if cost < self\.settings\.send_queue \{\n            self\.writers\.ring_all\(\);/if cost < self.settings.send_queue {/'
mutate "closing does not wake writers" "src/socket/closing.rs src/socket/core.rs" \
  's/(core|self)\.writers\.ring_all\(\);//g'
mutate "posting does not wake the dispatcher" src/events/queue.rs \
  's/self\.queue\.wake_dispatcher\(state\);/drop(state);/'
mutate "what a dispatch leaves is not announced" src/events/dispatch.rs \
  's/if !state\.ready\.is_empty\(\) \{\n            self\.0\.announce\(\);/if false {\n            self.0.announce();/'
mutate "a closed socket's batch goes on" src/events/queue.rs \
  's/if self\.taken > 0 \&\& self\.queue\.interrupted\.load\(SeqCst\) \{/if false {/'
mutate "what is left of a batch is lost" src/events/queue.rs \
  's/mailbox\.line\.put_back\(run\);/drop(run);/'
mutate "what is left of a closed socket's batch comes back" src/events/queue.rs \
  's/if state\.batch == Some\(source\) \{\n            state\.batch = None;/if state.batch == Some(source) {/'
mutate "a closed socket's events stay" src/socket/closing.rs \
  's/super::events\(\)\.discard\(self\.id\);//'
mutate "the pending wake-up is cleared after the call, not before" src/events/wakeup.rs \
  's/drop\(asked\);\n            hook\.call\(\(\)\);/hook.call(());\n            drop(asked);/'
mutate "a host's thread leaves the lead without a word" src/runtime/lead.rs \
  's/\|\| state\.service == Service::Asleep //'
mutate "readers that have left receiving to another are forgotten" src/socket/read.rs \
  's/let is_left_alone = .*;/let is_left_alone = false;/'
mutate "a reader that was waiting by itself does not tell the service task, which wants to receive" src/socket/read.rs \
  's/if core\.receiver_awaited \{/if false {/'
mutate "a reader that receives the answer to the close frame is not cancelled" src/socket/read.rs \
  's/if core\.released \{\n( +return Err\(core\.cancelled\(self\)\);\n +\}\n +if core\.state)/if false {\n$1/'
mutate "who has sent for others ends it without a look at what was left" src/socket/gather.rs \
  's/state\.compare_exchange\(OPEN, CLOSED, Ordering::AcqRel, Ordering::Acquire\)/Ok::<usize, usize>(state.swap(CLOSED, Ordering::AcqRel))/'
mutate "what callbacks have written is left to the end of the dispatch" src/socket/gather.rs \
  's/(self\.gathered_until = sys::now\(\)\.checked_add\(limit\);\n +)socket\.service\.notify_one\(\);/$1/'
((survived == 0)) || fail "$survived mutations were not noticed"
