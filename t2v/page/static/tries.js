() => {
    // A picture that is pressed has its video made; the way back from there shows the pictures again.
    const TASK = 'text-to-video';
    document.addEventListener('click', (event) => {
        const pressed = event.target instanceof Element && event.target.closest('button.still, button.back');
        if (!pressed) return;
        if (pressed.classList.contains('still')) {
            window.pickedStill = Number(pressed.dataset.still);
            document.getElementById(`pick-${TASK}`).click();
        } else {
            sessionStorage.setItem(`run-of-${TASK}`, pressed.dataset.run);
            document.getElementById(`restore-${TASK}`).click();
        }
    });
}
